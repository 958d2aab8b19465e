// What an object store answers: its XML, and what its refusals mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/adapters/s3_faults.h"
#include "common/adapters/s3_xml.h"

namespace capstan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(S3Xml, AListNamesObjectsFoldersAndTheNextPage) {
  const auto page = read_s3_page(
      "<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>"
      "<Contents><Key>p/x &lt;1&gt;</Key><Size>123</Size></Contents>"
      "<CommonPrefixes><Prefix>p/q/</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page.ok()) << page.error().message;
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, "p/x <1>");
  EXPECT_EQ(page->objects[0].size, 123U);
  EXPECT_THAT(page->prefixes, ElementsAre("p/q/"));
  EXPECT_EQ(page->next, "a&b");
}

TEST(S3Xml, AListThatIsNoneIsAnError) {
  for (const char* text :
       {"", "<html>", "<Error/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>"}) {
    const auto page = read_s3_page(text);
    ASSERT_FALSE(page.ok()) << text;
    EXPECT_EQ(page.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(read_s3_upload_id("<InitiateMultipartUploadResult/>").ok());
}

TEST(S3Xml, ACompletionNumbersTheParts) {
  EXPECT_EQ(s3_completion({"\"a\"", "<b>"}),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&lt;b&gt;</ETag></Part></CompleteMultipartUpload>");
}

TEST(S3Faults, SomePassAndSomeAreTheOperators) {
  struct Case {
    long status;
    const char* code;
    ErrorCode means;
    const char* advice;
  };
  for (const Case& each : std::vector<Case>{
           {500, "InternalError", ErrorCode::kUnavailable, ""},
           {503, "SlowDown", ErrorCode::kUnavailable, ""},
           {502, "", ErrorCode::kUnavailable, ""},
           {429, "", ErrorCode::kUnavailable, ""},
           {400, "RequestTimeout", ErrorCode::kUnavailable, ""},
           {400, "XAmzContentSHA256Mismatch", ErrorCode::kUnavailable, ""},
           {501, "NotImplemented", ErrorCode::kIo, ""},
           {404, "NoSuchKey", ErrorCode::kNotFound, ""},
           {404, "NoSuchBucket", ErrorCode::kRefused, "make the bucket"},
           {403, "SignatureDoesNotMatch", ErrorCode::kRefused, "AWS_SECRET_ACCESS_KEY"},
           {403, "InvalidAccessKeyId", ErrorCode::kRefused, "AWS_ACCESS_KEY_ID"},
           {403, "RequestTimeTooSkewed", ErrorCode::kRefused, "clock"},
           {403, "AccessDenied", ErrorCode::kRefused, "check the credentials"},
           {403, "", ErrorCode::kRefused, "check the credentials"},
           {400, "ExpiredToken", ErrorCode::kRefused, "AWS_SESSION_TOKEN"},
           {301, "PermanentRedirect", ErrorCode::kRefused, "not in region mars-1"},
           {416, "InvalidRange", ErrorCode::kCorrupt, ""},
           {507, "", ErrorCode::kNoSpace, "make room"},
           {412, "PreconditionFailed", ErrorCode::kIo, ""},
       }) {
    EXPECT_EQ(s3_error_code(each.status, each.code), each.means) << each.status << " " << each.code;
    EXPECT_EQ(s3_may_pass(each.status, each.code), each.means == ErrorCode::kUnavailable) << each.code;
    EXPECT_THAT(s3_advice(each.status, {each.code, "", ""}, "mars-1"), HasSubstr(each.advice)) << each.code;
  }
}

}  // namespace
}  // namespace capstan
