# The bridge's modules as one C array: "name size", a line each, and the text behind it.
# cmake -DFOLDER=... -DOUT=... -P embed.cmake
file(GLOB modules ${FOLDER}/*.py)
list(SORT modules)
set(bytes "")
foreach(path ${modules})
  get_filename_component(name ${path} NAME_WE)
  file(SIZE ${path} size)
  file(READ ${path} text HEX)
  string(HEX "${name} ${size}\n" head)
  string(APPEND bytes ${head} ${text})
endforeach()
string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "#include <stddef.h>\nextern const unsigned char bridge_source[];\nextern const size_t bridge_source_size;\n"
  "const unsigned char bridge_source[] = {\n${bytes}};\nconst size_t bridge_source_size = sizeof bridge_source;\n")
