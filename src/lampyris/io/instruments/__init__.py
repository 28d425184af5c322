"""Files of instruments, a room per kind of instrument and a module per format; each gives the nouns of `lampyris.core.instruments`.

A reader is called as ``read(path, *, max_bytes, file)`` and returns a tuple of nouns, one per curve, run or picture that the
file holds. It guesses nothing, opens only the file it is given, prints nothing, and refuses with `ImageError` whose finding
names ``file``, what was seen, and the mend. `lampyris.io.images.conformance.check_text_reader` tests it.
"""
