#include "job/machine.h"

#include <hwloc.h>
#include <stdio.h>

/* hwloc says -1 where a level of the machine is not one. */
static int at_least_0(int count) {
  return count > 0 ? count : 0;
}

/* Cores with a thread in `set`: two threads of a core are one core. */
static int cores_in(hwloc_topology_t topology, hwloc_const_cpuset_t set) {
  int cores = 0;
  int all = at_least_0(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE));
  for (int i = 0; i < all; i++) {
    hwloc_obj_t core = hwloc_get_obj_by_type(topology, HWLOC_OBJ_CORE, (unsigned)i);
    cores += hwloc_bitmap_intersects(core->cpuset, set);
  }
  return cores;
}

/* What cannot be found out stays 0: the banner then leaves it out. */
void machine_look(Machine *out) {
  hwloc_topology_t topology;
  *out = (Machine){.processor = "processor"};
  if (hwloc_topology_init(&topology)) return;
  if (!hwloc_topology_load(topology)) {
    hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
    hwloc_cpuset_t bound = hwloc_bitmap_alloc();
    if (model) snprintf(out->processor, sizeof out->processor, "%s", model);
    out->packages = at_least_0(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE));
    out->cores = at_least_0(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE));
    out->threads = at_least_0(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU));
    if (bound && !hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_PROCESS))
      out->bound_cores = cores_in(topology, bound);
    hwloc_bitmap_free(bound);
  }
  hwloc_topology_destroy(topology);
}
