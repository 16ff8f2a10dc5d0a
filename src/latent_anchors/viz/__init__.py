from ._latents import plot_latents as plot_latents
