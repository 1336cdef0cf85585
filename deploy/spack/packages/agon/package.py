# A spack package of the checkout that this file is in: spack repo add deploy/spack; spack install agon
import pathlib

from spack.package import *


class Agon(CMakePackage):
    """Trains populations of agents in C11 over MPI: rivals by league self-play, and teams whose agents share an
    interest. Runs are checkpointed to HDF5, repeat byte for byte, and resume on any number of ranks."""

    git = "file://%s" % pathlib.Path(__file__).resolve().parents[4]

    license("Apache-2.0")

    version("main", branch="main")

    variant("native", default=False, description="compile all of it for the processor of this machine")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("random123", type="build")
    depends_on("mpi")
    depends_on("hwloc@2:")
    depends_on("hdf5@1.10:")
    depends_on("openblas")
    depends_on("libyaml")
    depends_on("jansson")
    depends_on("xxhash")
    depends_on("clp")

    generator("ninja")

    def cmake_args(self):
        return [self.define("AGON_TESTS", False), self.define_from_variant("AGON_NATIVE", "native")]

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_install(self):
        agon = Executable(self.prefix.bin.agon)
        agon("version")
        agon("train", "tic_tac_toe", "frames=10k", "--quiet")
