"""The server process: it answers where it was told to, and a power cut costs no data."""

from script.lib.processes import status_of
from tests.conftest import StartServer


def test_a_killed_server_comes_back_at_its_address_with_its_data(start_server: StartServer) -> None:
    server = start_server(demo=False)
    server.manage("createsuperuser", "--noinput", "--email=olga@example.org", "--display_name=Olga")

    server.kill()
    assert status_of(server.url) is None
    server.start_again()

    assert status_of(f"{server.url}/readyz") == 200
    ask = "from accounts.models import User; print(User.objects.get().email)"
    assert "olga@example.org" in server.manage("shell", "-c", ask)


def test_it_says_404_in_a_page_of_its_own(start_server: StartServer) -> None:
    server = start_server(demo=False)

    assert status_of(f"{server.url}/nothing-here/") == 404
