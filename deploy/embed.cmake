# Writes OUT, a C source with the files IN as `const Embedded NAME[]` (src/base/embedded.h):
# cmake "-DIN=a;b" -DOUT=c.c -DNAME=symbol -P embed.cmake
set(texts "")
set(table "")
set(index 0)
foreach(path ${IN})
  get_filename_component(name ${path} NAME)
  file(READ ${path} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "((0x..,){20})" "\\1\n" bytes "${bytes}")
  string(APPEND texts "static const char text_${index}[] = {\n${bytes}0};\n")
  string(APPEND table "    {\"${name}\", text_${index}, sizeof text_${index} - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"base/embedded.h\"\n\n${texts}\nextern const Embedded ${NAME}[];\n"
  "const Embedded ${NAME}[] = {\n${table}    {NULL, NULL, 0}};\n")
