"""Hooks: edits and recorders at sites, in force for a block or until they are removed.

From the ground up: ``_readings`` (the latents of one pass), ``_apply_edit`` (an edit, checked),
``_outputs`` (latents within a layer's output), ``_checkpointing`` and ``_compiled`` (where a hook
would be skipped), ``_blocks`` (how long it is in force), ``_hook`` and ``_edit_hook``,
``_positions`` and ``_onwards`` (where within a pass), ``_handles``.
"""

from latent_anchors._hooks._apply_edit import Edit as Edit
from latent_anchors._hooks._apply_edit import edited as edited
from latent_anchors._hooks._blocks import HeldLock as HeldLock
from latent_anchors._hooks._blocks import Hooks as Hooks
from latent_anchors._hooks._blocks import InForce as InForce
from latent_anchors._hooks._blocks import Startable as Startable
from latent_anchors._hooks._checkpointing import in_reentrant_segment as in_reentrant_segment
from latent_anchors._hooks._edit_hook import EditHook as EditHook
from latent_anchors._hooks._handles import Handle as Handle
from latent_anchors._hooks._handles import as_hooked as as_hooked
from latent_anchors._hooks._handles import attach_edit as attach_edit
from latent_anchors._hooks._handles import attach_recorder as attach_recorder
from latent_anchors._hooks._handles import check_edit as check_edit
from latent_anchors._hooks._handles import clear as clear
from latent_anchors._hooks._handles import copy_without_hooks as copy_without_hooks
from latent_anchors._hooks._handles import edit_hook as edit_hook
from latent_anchors._hooks._handles import in_force as in_force
from latent_anchors._hooks._handles import recorder_hook as recorder_hook
from latent_anchors._hooks._hook import Hook as Hook
from latent_anchors._hooks._hook import LookHook as LookHook
from latent_anchors._hooks._hook import PassHook as PassHook
from latent_anchors._hooks._hook import RecorderHook as RecorderHook
from latent_anchors._hooks._hook import Table as Table
from latent_anchors._hooks._hook import forward_hooks as forward_hooks
from latent_anchors._hooks._hook import forward_pre_hooks as forward_pre_hooks
from latent_anchors._hooks._onwards import Onwards as Onwards
from latent_anchors._hooks._outputs import parameters_of as parameters_of
from latent_anchors._hooks._positions import Where as Where
from latent_anchors._hooks._readings import Reading as Reading
from latent_anchors._hooks._readings import known_writes as known_writes
from latent_anchors._hooks._readings import recall_writes as recall_writes
