# Writes the migrations as C++: each file a raw string, in the order of their names.
function(embed function folder)
  file(GLOB files ${folder}/*.sql)
  list(SORT files)
  set(rows "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} sql)
    string(APPEND rows "    {\"${name}\", R\"__sql__(${sql})__sql__\"},\n")
  endforeach()
  file(APPEND ${OUT} "std::span<const Migration> ${function}() {\n"
       "  static constexpr Migration rows[] = {\n${rows}  };\n  return rows;\n}\n\n")
endfunction()
file(WRITE ${OUT} "// Generated from migrations/*.sql.\n#include \"bottega/storage/migrate.hpp\"\n\n"
     "namespace bottega {\n\n")
embed(bottega_migrations ${ROOT})
embed(sandbox_migrations ${ROOT}/sandbox)
file(APPEND ${OUT} "}  // namespace bottega\n")
