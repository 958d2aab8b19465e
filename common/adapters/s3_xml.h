// The XML that an object store answers with, and the one kind that it is sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace capstan {

struct S3Fault {
  std::string code, message;  // empty when the answer says none
  std::string region;         // where the bucket is, if that is what is wrong
};
S3Fault read_s3_fault(std::string_view xml);

struct S3Object {
  std::string key;
  std::uint64_t size = 0;
};
struct S3Page {
  std::vector<S3Object> objects;
  std::vector<std::string> prefixes;  // each ends in '/'
  std::string next;                   // the continuation token; empty: this is the last
};
Result<S3Page> read_s3_page(std::string_view xml);  // kCorrupt

Result<std::string> read_s3_upload_id(std::string_view xml);  // kCorrupt
struct S3Upload {
  std::string key, id;
};
Result<std::vector<S3Upload>> read_s3_uploads(std::string_view xml);  // kCorrupt

// The parts' ETags in their order.
std::string s3_completion(const std::vector<std::string>& etags);

}  // namespace capstan
