// What a job or a node may be called: names become parts of paths.
#pragma once

#include <string>
#include <string_view>

namespace capstan {

// Letters, digits, '-', '_' and '.', at most 128 of them and not only dots; an empty one is none.
bool is_plain_name(std::string_view name);
// What to say of one that is not: "may have letters, ..., not 'a/b'".
std::string plain_name_rule(std::string_view name);

}  // namespace capstan
