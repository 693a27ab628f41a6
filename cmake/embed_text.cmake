# Writes a file as a C++ function that answers its text.
file(READ ${IN} text)
file(WRITE ${OUT} "// Generated from ${NAME}.\n#include <string_view>\n\nnamespace bottega {\n\n"
     "std::string_view ${FUNCTION}();\nstd::string_view ${FUNCTION}() {\n"
     "  return R\"__text__(${text})__text__\";\n}\n\n}  // namespace bottega\n")
