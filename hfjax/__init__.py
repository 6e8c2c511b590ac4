"""hfjax: HistFactory likelihoods in JAX.

The contents page is the file `__init__.pyi` beside this one: every public name, and the
module it comes from. A name is imported when it is first used, so that reading and
checking documents (`hfjax.Workspace`, `hfjax.PatchSet`) never loads JAX.
"""

import lazy_loader

from hfjax.version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
