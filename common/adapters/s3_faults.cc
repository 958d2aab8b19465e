#include "common/adapters/s3_faults.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>

namespace capstan {
namespace {

bool among(const std::string& code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool is_quota(long status, const std::string& code) {
  return status == 507 ||
         among(code, {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"});
}

bool is_elsewhere(long status, const std::string& code) {
  return status == 301 || status == 307 ||
         among(code, {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
                      "IllegalLocationConstraintException"});
}

}  // namespace

bool s3_may_pass(long status, const std::string& code) {
  if (status == 501 || is_quota(status, code)) return false;
  return status >= 500 || status == 429 || status == 408 ||
         among(code, {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted",
                      "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"});
}

ErrorCode s3_error_code(long status, const std::string& code) {
  if (s3_may_pass(status, code)) return ErrorCode::kUnavailable;
  if (is_quota(status, code)) return ErrorCode::kNoSpace;
  if (code == "NoSuchBucket" || status == 403 || status == 401 || is_elsewhere(status, code)) {
    return ErrorCode::kRefused;
  }
  if (status == 404) return ErrorCode::kNotFound;
  if (status == 416) return ErrorCode::kCorrupt;
  return among(code, {"ExpiredToken", "InvalidToken", "InvalidAccessKeyId"}) ? ErrorCode::kRefused
                                                                             : ErrorCode::kIo;
}

std::string s3_advice(long status, const S3Fault& fault, const std::string& region) {
  if (fault.code == "InvalidAccessKeyId") return "the store does not know this key: check AWS_ACCESS_KEY_ID";
  if (fault.code == "SignatureDoesNotMatch") {
    return fmt::format(
        "check AWS_SECRET_ACCESS_KEY, which belongs to AWS_ACCESS_KEY_ID, and that {} is the bucket's region",
        region);
  }
  if (fault.code == "ExpiredToken" || fault.code == "InvalidToken") {
    return "AWS_SESSION_TOKEN is no longer valid: get new credentials and start again with them";
  }
  if (fault.code == "RequestTimeTooSkewed") return "this machine's clock is wrong: set it";
  if (fault.code == "NoSuchBucket") return "make the bucket, or mend the path";
  if (is_elsewhere(status, fault.code)) {
    return fmt::format("the bucket is not in region {}: set AWS_REGION{}", region,
                       fault.region.empty() ? "" : " to " + fault.region);
  }
  if (status == 403 || status == 401) {
    return "check the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and that they may list the "
           "bucket "
           "and read, write and delete its objects";
  }
  if (is_quota(status, fault.code)) return "the store is full: make room or raise its quota";
  return "";
}

}  // namespace capstan
