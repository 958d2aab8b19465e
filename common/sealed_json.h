// JSON text that shows whether it is whole: {"checksum":"<16 hex digits>","NAME":BODY} and a line's end.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// body: one JSON value.
std::string seal_json(std::string_view name, std::string_view body);

// The body within `text`. kCorrupt when it was sealed under another name, or a byte has changed.
Result<std::string_view> unseal_json(std::string_view name, std::string_view text);

}  // namespace capstan
