"""IDConv's generated kernels: the kernels themselves, clusters, spectra, and changes between images."""
