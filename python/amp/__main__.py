"""python -m amp: the executable, with the same arguments."""

import os
import sys

from amp._program import find_program

if __name__ == "__main__":
    try:
        program = find_program()
    except FileNotFoundError as error:
        sys.exit(f"error: {error}")
    os.execv(program, [program, *sys.argv[1:]])
