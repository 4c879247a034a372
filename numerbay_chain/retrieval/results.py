"""A problem with a round on its way from where it is met to whoever lists it."""

from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.orders.results import Problem


class ProblemError(NumerbayChainError):
    """Carries a `Problem`; `error` is what `fetch` raises."""

    def __init__(self, problem: Problem, error: NumerbayChainError) -> None:
        super().__init__(problem.text, problem.advice, code=error.code)
        self.problem, self.error = problem, error
