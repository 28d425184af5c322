"""OME-TIFF and OME-Zarr: pixels and metadata, read and written."""
