"""How static files are stored: under names that carry their content's hash, gzip beside each.

No Brotli: at its highest level it takes ten times as long as everything else at a first start, to save a few
kilobytes that a proxy in front would save as well.
"""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(**options, use_brotli=False)
