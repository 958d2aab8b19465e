// What an object store's refusal means: whether to try again, and what the operator can do.
#pragma once

#include <string>

#include "common/adapters/s3_xml.h"
#include "common/result.h"

namespace capstan {

// Another try of the same request may do better.
bool s3_may_pass(long status, const std::string& code);
ErrorCode s3_error_code(long status, const std::string& code);
// Empty when there is none to give.
std::string s3_advice(long status, const S3Fault& fault, const std::string& region);

}  // namespace capstan
