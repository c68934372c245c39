"""The push service of the tests judges as a real one does."""

from cryptography.hazmat.primitives.asymmetric import ec

from tests.peers.push_service import _bytes, decrypt

# The example of RFC 8291, 5.
PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_it_reads_the_standards_own_example() -> None:
    private = ec.derive_private_key(int.from_bytes(_bytes(PRIVATE), "big"), ec.SECP256R1())
    assert decrypt(_bytes(MESSAGE), private=private, secret=_bytes(SECRET)) == b"When I grow up, I want to be a watermelon"
