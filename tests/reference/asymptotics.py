"""Asymptotic p-values in decimal arithmetic (28 digits), one number at a time.

Formulas of G. Cowan, K. Cranmer, E. Gross, O. Vitells, "Asymptotic formulae for
likelihood-based tests of new physics", arXiv:1007.1727 (CCGV). Decimal arithmetic
has neither underflow nor cancellation that matters here, so each formula is written
as it stands in the paper and still gives all digits of CLs = 1e-400.
"""

from decimal import MAX_EMAX, MIN_EMIN, Decimal, getcontext, localcontext

getcontext().Emax, getcontext().Emin = MAX_EMAX, MIN_EMIN  # no underflow of exp(-1e9)
DIGITS = 60  # of the area; the sums and ratios of `tails` have Python's 28
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230782")


def upper_tail(x: Decimal) -> Decimal:
    """1 - Phi(x) = Phi(-x), the area of the standard normal above x.

    Small |x|: 1/2 - phi(x) (x + x^3/3 + x^5/(3 5) + ...); else the continued
    fraction phi(x)/(x + 1/(x + 2/(x + 3/(x + ...)))).
    """
    with localcontext() as context:
        context.prec, context.Emin = DIGITS + 40, MIN_EMIN
        density = (-x * x / 2).exp() / (2 * PI).sqrt()
        if x < -4:
            return 1 - upper_tail(-x)
        if x < 4:
            return Decimal("0.5") - density * odd_series(x)
        return density / continued_fraction(x)


def odd_series(x: Decimal) -> Decimal:
    """x + x^3/3 + x^5/(3 5) + x^7/(3 5 7) + ..."""
    term, total, k = x, x, 1
    while abs(term) > Decimal(10) ** -(DIGITS + 20):
        k += 2
        term *= x * x / k
        total += term
    return total


def continued_fraction(x: Decimal) -> Decimal:
    """x + 1/(x + 2/(x + 3/(x + ...))), from the far end; x >= 4."""
    tail = x
    for k in range(2500, 0, -1):
        tail = x + k / tail
    return tail


def tails(q: float, q_asimov: float, statistic: str) -> dict[str, Decimal]:
    """CLsb, CLb and CLs of an observed statistic.

    Args:
        q: value of the statistic, >= 0.
        q_asimov: its value on the Asimov data, (mu/sigma)^2.
        statistic: "q", "qtilde", "q0", "t" or "ttilde".
    """
    s, a = Decimal(q).sqrt(), Decimal(q_asimov).sqrt()
    beyond = statistic in {"qtilde", "ttilde"} and s > a
    if beyond and a > 0:  # CCGV 3.4 and 3.7, above (mu/sigma)^2
        at_null = (Decimal(q) + Decimal(q_asimov)) / (2 * a)
        at_asimov = (Decimal(q) - Decimal(q_asimov)) / (2 * a)
    else:  # CCGV 3.3, 3.5 and 3.6
        at_null, at_asimov = s, s - a
    clsb, clb = upper_tail(at_null), upper_tail(at_asimov)
    if statistic in {"t", "ttilde"}:  # the side mu_hat > mu
        clsb += upper_tail(s)
        clb += upper_tail(s + a)
    return {"CLsb": clsb, "CLb": clb, "CLs": clsb if statistic == "q0" else clsb / clb}


def band(q_asimov: float, statistic: str, *, clipped: bool = False) -> list[Decimal]:
    """Expected CLs (p0 for q0) at -2, -1, 0, +1, +2 sigma.

    CLs_N = Phi(-(N + a)) / Phi(-N) for N = 2, 1, 0, -1, -2; clipped: N >= -a.
    """
    a, expected = Decimal(q_asimov).sqrt(), []
    for n in (2, 1, 0, -1, -2):
        shift = max(Decimal(n), -a) if clipped else Decimal(n)
        clsb, clb = upper_tail(shift + a), upper_tail(shift)
        expected.append(clsb if statistic == "q0" else clsb / clb)
    return expected
