# find_package(agon): agon::shared and agon::static are libagon (agon/agent.h).
include("${CMAKE_CURRENT_LIST_DIR}/agonTargets.cmake")
