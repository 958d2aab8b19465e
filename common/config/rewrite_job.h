// A job file with some settings changed, as another file: what was written, without the defaults.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"

namespace capstan {

// The file with `overrides` ("path=value") and without the section `tune`; variables of the environment have
// their values. The comments are lost. REQUIRES: load_job() takes the file with the overrides.
Result<std::string> rewrite_job(const std::string& path, const std::vector<std::string>& overrides);

}  // namespace capstan
