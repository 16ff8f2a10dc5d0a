"""Hooks: edits and recorders at sites, in force for a block or until they are removed.

From the ground up: ``_readings`` (what left a site), ``_edited`` (what an edit must keep to),
``_outputs`` (latents within a layer's output), ``_checkpointing`` and ``_compiled`` (where a hook
would be missed), ``_blocks`` (how long it is in force), ``_hook``, ``_handles``.
"""

from latent_anchors._hooks._blocks import Beginning as Beginning
from latent_anchors._hooks._blocks import Hooks as Hooks
from latent_anchors._hooks._blocks import InForce as InForce
from latent_anchors._hooks._blocks import Turn as Turn
from latent_anchors._hooks._checkpointing import in_reentrant_stretch as in_reentrant_stretch
from latent_anchors._hooks._edited import Edit as Edit
from latent_anchors._hooks._edited import edited as edited
from latent_anchors._hooks._handles import Handle as Handle
from latent_anchors._hooks._handles import Hooked as Hooked
from latent_anchors._hooks._handles import attach_edit as attach_edit
from latent_anchors._hooks._handles import attach_recorder as attach_recorder
from latent_anchors._hooks._handles import clear as clear
from latent_anchors._hooks._handles import edit_hook as edit_hook
from latent_anchors._hooks._handles import in_force as in_force
from latent_anchors._hooks._handles import recorder_hook as recorder_hook
from latent_anchors._hooks._handles import untapped as untapped
from latent_anchors._hooks._hook import EditHook as EditHook
from latent_anchors._hooks._hook import Hook as Hook
from latent_anchors._hooks._hook import PassHook as PassHook
from latent_anchors._hooks._hook import RecorderHook as RecorderHook
from latent_anchors._hooks._hook import Table as Table
from latent_anchors._hooks._hook import hooks_before as hooks_before
from latent_anchors._hooks._hook import hooks_behind as hooks_behind
from latent_anchors._hooks._readings import Reading as Reading
