# What Debian wants of a package beyond what is installed elsewhere: its copyright, its changelog, and manual pages packed.
# Called by cpack with the staged files of each component in a folder of its own.
set(program agon)
set(library libagon1)
set(development libagon-dev)
foreach(part program library development)
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${part}/usr)
  set(doc ${root}/share/doc/${${part}})
  file(MAKE_DIRECTORY ${doc})
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${doc}
       FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog ${doc}/changelog COPYONLY)
  file(GLOB pages ${root}/share/man/man1/*.1)
  execute_process(COMMAND gzip -9nf ${doc}/changelog ${pages} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB archives ${root}/lib/*/*.a)
  if(archives)
    execute_process(COMMAND strip --strip-debug ${archives} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  file(REMOVE ${doc}/LICENSE) # it is what copyright says
  # what names a folder of one architecture lies in it; elsewhere it lies beside agon.pc, and both can be moved
  file(GLOB libraries ${root}/lib/*-linux-*)
  if(EXISTS ${root}/share/pkgconfig/agon-agent.pc AND libraries)
    file(READ ${root}/share/pkgconfig/agon-agent.pc text)
    string(REGEX REPLACE "prefix=[^\n]*" "prefix=/usr" text "${text}")
    file(WRITE ${libraries}/pkgconfig/agon-agent.pc "${text}")
    file(REMOVE ${root}/share/pkgconfig/agon-agent.pc)
  endif()
endforeach()
