# Files as bytes of a C array. -DIN="a;b" -DOUT=c.c -DNAME=symbol
set(bytes "")
foreach(file ${IN})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," hex "${hex}")
  string(REGEX REPLACE "((0x..,){20})" "\\1\n" hex "${hex}")
  string(APPEND bytes "${hex}\n")
endforeach()
file(WRITE ${OUT} "extern const char ${NAME}[];\nconst char ${NAME}[] = {${bytes}0};\n")
