// docs/JOB_REFERENCE.md, made from the schema.
#pragma once

#include <string>

namespace capstan {

std::string job_reference();

}  // namespace capstan
