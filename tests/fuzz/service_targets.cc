#include "common/adapters/etcd_json.h"
#include "common/adapters/s3_xml.h"
#include "common/assert.h"
#include "tests/fuzz/fuzz_target.h"

namespace capstan {
namespace {

Buffer seed(std::string_view text) {
  return Buffer::copy_of(text);
}

std::vector<Buffer> etcd_answers() {
  return {seed(R"({"header":{"revision":"7"},"kvs":[{"key":"L2E=","create_revision":"3","value":"eA==",)"
               R"("lease":"9"}],"count":"1"})"),
          seed(R"({"header":{"revision":"8"},"succeeded":true,"responses":[{"response_put":{}}]})"),
          seed(R"({"responses":[{"response_range":{"kvs":[{"key":"L2E=","create_revision":"3"}]}}]})"),
          seed(R"({"ID":"42","TTL":"3"})"),
          seed("{\"result\":{\"ID\":\"42\",\"TTL\":\"3\"}}\n"),
          seed(R"({"error":"etcdserver: requested lease not found","code":5})")};
}

void run_etcd_answer(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  static_cast<void>(read_etcd_range(text).ok());
  if (const auto outcome = read_etcd_commit(text); outcome.ok()) {
    CAPSTAN_ASSERT(!outcome->taken || !outcome->guard.has_value(), "a commit that was taken found no guard");
  }
  if (const auto lease = read_etcd_lease(text); lease.ok())
    CAPSTAN_ASSERT(*lease != 0, "a lease has a number");
  static_cast<void>(read_etcd_time_left(text, 42).ok());
  CAPSTAN_ASSERT(!read_etcd_refusal(500, text).message.empty(), "a refusal says why");
}

std::vector<Buffer> s3_answers() {
  return {seed("<ListBucketResult><Contents><Key>a/b</Key><Size>7</Size></Contents><CommonPrefixes><Prefix>c/"
               "</Prefix></CommonPrefixes><IsTruncated>true</IsTruncated><NextContinuationToken>x</"
               "NextContinuationToken></ListBucketResult>"),
          seed("<Error><Code>NoSuchKey</Code><Message>The key does not exist</Message></Error>"),
          seed("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
          seed("<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>u</UploadId></Upload></"
               "ListMultipartUploadsResult>")};
}

void run_s3_answer(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  static_cast<void>(read_s3_fault(text));
  static_cast<void>(read_s3_page(text).ok());
  static_cast<void>(read_s3_upload_id(text).ok());
  static_cast<void>(read_s3_uploads(text).ok());
}

}  // namespace

std::vector<FuzzTarget> service_targets() {
  return {{"etcd_answer", etcd_answers, run_etcd_answer}, {"s3_answer", s3_answers, run_s3_answer}};
}

}  // namespace capstan
