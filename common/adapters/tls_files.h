// TlsFiles: where an HTTPS server's certificate lies, in PEM form.
#pragma once

#include <string>

namespace capstan {

struct TlsFiles {
  std::string certificate;  // the server's own first, then those that signed it
  std::string key;          // readable by its owner only
};

}  // namespace capstan
