# capstan_embed(TARGET FOLDER): the folder's files as bytes in TARGET, so that the program needs no files beside
# it. Declared in FOLDER/files.h; a changed file is embedded anew.
if(CMAKE_SCRIPT_MODE_FILE)  # cmake -DFILES=a;b -DOUT=x.cc -P embed.cmake
  set(text "#include \"${HEADER}\"\n\nnamespace capstan {\nnamespace {\n")
  set(list "")
  set(n 0)
  foreach(file ${FILES})
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    get_filename_component(name ${file} NAME)
    string(APPEND text "constexpr unsigned char kFile${n}[] = {${bytes}0};\n")
    string(APPEND list "      {\"${name}\", {reinterpret_cast<const char*>(kFile${n}), sizeof(kFile${n}) - 1}},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  string(APPEND text "}  // namespace\n\nconst std::map<std::string_view, std::string_view>& dashboard_files() {\n"
    "  static const std::map<std::string_view, std::string_view> kFiles = {\n${list}  };\n  return kFiles;\n}\n\n"
    "}  // namespace capstan\n")
  file(WRITE ${OUT} "${text}")
  return()
endif()

function(capstan_embed target folder)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.html ${CMAKE_SOURCE_DIR}/${folder}/*.css
    ${CMAKE_SOURCE_DIR}/${folder}/*.js ${CMAKE_SOURCE_DIR}/${folder}/*.svg)
  set(out ${CMAKE_BINARY_DIR}/generated/${folder}/files.cc)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" -DHEADER=${folder}/files.h -DOUT=${out}
      -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
