// What is said of a checkpoint that is not taken to go on from.
#pragma once

#include <string>

namespace capstan {

// Names it, where `why` speaks only of the files of another one that it needs.
std::string passed_over(const std::string& directory, const std::string& why);

}  // namespace capstan
