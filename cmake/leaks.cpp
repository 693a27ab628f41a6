// What other people's libraries keep to themselves, for LeakSanitizer; linked into checked builds.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  // libpqxx 6.4 drops the last PGresult of a connection that broke: PQclientEncoding fails between
  // libpq's answer and the object that would own it. Two kilobytes for each lost connection. The
  // others keep the fonts that they have found until the program ends.
  return "leak:PQmakeEmptyPGresult\n"
         "leak:libfontconfig\n"
         "leak:libpango\n"
         "leak:libcairo\n"
         "leak:libglib\n";
}
