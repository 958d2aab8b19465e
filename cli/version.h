// The program's version.
#pragma once

namespace capstan {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace capstan
