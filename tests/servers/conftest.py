"""Several servers on one store, on each database."""

import pytest

from fleet import Fleet
from patchbay import Installation, stores


@pytest.fixture(params=stores())
def installation(request):
    made = Installation(backend=request.param)
    yield made
    made.close()


@pytest.fixture
def token(installation):
    """The administrator's."""
    return installation.init("Acme")["organization"]["token"]["access"]["secret"]


@pytest.fixture
def fleet(installation, token):
    """`fleet(...)` starts servers; each must end in good order."""
    started = []

    def start(*arguments, **settings):
        started.append(Fleet(installation, *arguments, **settings))
        return started[-1]

    yield start
    for one in started:
        assert one.stop() == 0, "every server ends with status 0 on SIGTERM:\n" + "".join(one.log[-30:])
