"""python -m zsltf"""

import sys

from zsltf.cli import main

sys.exit(main())
