"""The wheel: the package's Python, its extension module and the program, both built by CMake.

CAPSTAN_BUILD names a folder to build in, such as one that is built already; without it that is build/pip.
"""

import os
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = os.path.dirname(os.path.abspath(__file__))


class CMakeBuild(build_ext):
    def build_extension(self, ext):
        build = os.path.abspath(os.environ.get("CAPSTAN_BUILD", os.path.join(SOURCE, "build", "pip")))
        if not os.path.exists(os.path.join(build, "CMakeCache.txt")):
            subprocess.run(["cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                            "-DCAPSTAN_TESTS=OFF", f"-DPython3_EXECUTABLE={sys.executable}"], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "capstan", "capstan_python"], check=True)
        module = self.get_ext_fullpath(ext.name)
        program = os.path.join(os.path.dirname(module), "bin", "capstan")
        os.makedirs(os.path.dirname(program), exist_ok=True)
        shutil.copy2(os.path.join(build, "python", "capstan", os.path.basename(module)), module)
        shutil.copy2(os.path.join(build, "capstan"), program)
        subprocess.run(["strip", module, program], check=True)


setup(ext_modules=[Extension("capstan._capstan", [])], cmdclass={"build_ext": CMakeBuild})
