// Small files of this host, whole.
#pragma once

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "common/result.h"

namespace capstan {

// kNotFound.
inline Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return make_error(ErrorCode::kNotFound, "cannot read " + path);
  return std::move(text).str();
}

// Says it on stderr; gives the exit code.
inline int complain(const Error& error, int code) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return code;
}

}  // namespace capstan
