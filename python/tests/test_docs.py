"""Each program of docs/PYTHON.md runs as it stands."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "PYTHON.md")


def programs():
    with open(PAGE, encoding="utf-8") as file:
        return re.findall(r"^```python\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


class Page(unittest.TestCase):
    def test_its_programs_run(self):
        self.assertEqual(len(programs()), 3)
        folder = tempfile.mkdtemp(prefix="capstan-docs-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        for program in programs():
            with self.subTest(program.splitlines()[0]):
                ended = subprocess.run([sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, timeout=240)
                self.assertEqual(ended.returncode, 0, ended.stdout)
                print(ended.stdout)


if __name__ == "__main__":
    unittest.main()
