"""Which algorithms a signature may be of: exactly those of the key, whatever a header says."""

from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry


class ExactAlgorithms(JWSRegistry):
    """The named algorithms and no others, without the library's warning that RFC 9864 has a new name for EdDSA."""

    def get_alg(self, name: str) -> JWSAlgModel:
        """The algorithm of a header.

        Raises:
            UnsupportedAlgorithmError: it is not one of the key's.
        """
        if self.allowed is None or name not in self.allowed:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]
