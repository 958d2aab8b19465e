// Where the tests find the repository's files and the program under test.
#pragma once

#include <filesystem>
#include <string>

namespace capstan {

std::filesystem::path source_dir();
std::string capstan_binary();

}  // namespace capstan
