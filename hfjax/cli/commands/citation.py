"""What to cite, as BibTeX: hfjax, and the methods and documents that it builds on."""

import hfjax

_BIBTEX = r"""@software{hfjax,
  author = {{The hfjax developers}},
  title = {hfjax: HistFactory likelihoods in JAX},
  version = {VERSION}
}

@techreport{histfactory,
  author = {Cranmer, Kyle and Lewis, George and Moneta, Lorenzo and Shibata, Akira
            and Verkerke, Wouter},
  title = {HistFactory: A tool for creating statistical models for use with RooFit
           and RooStats},
  institution = {CERN},
  number = {CERN-OPEN-2012-016},
  year = {2012},
  url = {https://cds.cern.ch/record/1456844}
}

@article{asymptotic_formulae,
  author = {Cowan, Glen and Cranmer, Kyle and Gross, Eilam and Vitells, Ofer},
  title = {Asymptotic formulae for likelihood-based tests of new physics},
  journal = {Eur. Phys. J. C},
  volume = {71},
  pages = {1554},
  year = {2011},
  doi = {10.1140/epjc/s10052-011-1554-0},
  eprint = {1007.1727},
  archivePrefix = {arXiv}
}

@article{cls,
  author = {Read, Alexander L.},
  title = {Presentation of search results: the {CL}$_s$ technique},
  journal = {J. Phys. G},
  volume = {28},
  pages = {2693--2704},
  year = {2002},
  doi = {10.1088/0954-3899/28/10/313}
}

@article{pyhf_joss,
  author = {Heinrich, Lukas and Feickert, Matthew and Stark, Giordon and Cranmer, Kyle},
  title = {pyhf: pure-Python implementation of HistFactory statistical models},
  journal = {Journal of Open Source Software},
  volume = {6},
  number = {58},
  pages = {2823},
  year = {2021},
  doi = {10.21105/joss.02823}
}
"""


def citation() -> str:
    """Return BibTeX entries of hfjax, in its version, and of what it builds on.

    >>> print(citation()[:16])
    @software{hfjax,
    """
    return _BIBTEX.replace("VERSION", hfjax.__version__)
