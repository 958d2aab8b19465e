// The files of the scheduler's page, as they are in this folder; cmake/embed.cmake puts them into the
// program.
#pragma once

#include <map>
#include <string_view>

namespace capstan {

const std::map<std::string_view, std::string_view>& dashboard_files();  // by name, such as "index.html"

}  // namespace capstan
