# Debian packages, by cpack (deploy/packages/deb.sh calls it): agon, the program; libagon1, what programs with exported
# agents run with; libagon-dev, what they, and environments of one's own, are compiled with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME agon)
set(CPACK_PACKAGE_VENDOR "The agon authors")
set(CPACK_PACKAGE_CONTACT "The agon authors <maintainers@agon.example>" CACHE STRING "who answers for the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "league self-play and multi-agent reinforcement learning over MPI")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL program library development)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/finish.cmake)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME agon)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
# alone it runs on one rank; mpirun, and what starts ranks on other hosts, come with Open MPI's programs
# (and python3 runs the examples of share/agon/python, and environments of Python)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "openmpi-bin, python3")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "python3-numpy, python3-h5py, libagon-dev")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "Trains populations of agents: rivals by league self-play, and teams whose
agents share an interest. Runs are checkpointed, repeat byte for byte, and
resume on any number of ranks. Ratings, exploitability, tournaments, sweeps
over configurations and seeds, and one page that shows a whole run.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libagon1)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/triggers)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
    "The shared library that opens agents which agon has trained and exported,
and decides by them. It needs the C library alone.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libagon-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libagon1 (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "Headers for environments (agon/env.h) and for programs that use exported
agents (agon/agent.h), the static library, pkg-config and CMake files.")
include(CPack)
