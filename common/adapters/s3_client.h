// S3Client: an object store's operations, each tried again for as long as that may help.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/adapters/s3_exchange.h"
#include "common/adapters/s3_xml.h"
#include "common/buffer.h"
#include "common/object_path.h"
#include "common/result.h"
#include "common/rng.h"

namespace capstan {

// Thread-safe; calls wait. Errors name the operation, object, endpoint, HTTP status, the store's own code and
// what to do. kNotFound: no such object; kCorrupt: it is shorter than asked for; kRefused: credentials,
// bucket, region or clock are wrong; kNoSpace: a quota; kUnavailable: no answer, or errors of the store, for
// all the patience there was.
class S3Client {
 public:
  S3Client(S3Settings settings, S3Limits limits);
  ~S3Client();

  Result<Buffer> get(const ObjectPath& object);
  Result<Buffer> get_range(const ObjectPath& object, std::uint64_t offset, std::uint64_t size);
  Result<std::uint64_t> size_of(const ObjectPath& object);
  Status put(const ObjectPath& object, std::span<const std::byte> bytes);
  Status remove(const ObjectPath& object);  // ok when it is not there

  // What lies below folder.key: right below, or at any depth, in which case there are no prefixes.
  enum class Depth { kOne, kAll };
  Result<S3Page> list(const ObjectPath& folder, Depth depth);
  Result<bool> any_below(const ObjectPath& folder);

  // An upload in parts is seen by nobody before it is completed.
  Result<std::string> begin_upload(const ObjectPath& object);
  // Gives the part's ETag. Parts are numbered from 1.
  Result<std::string> upload_part(const ObjectPath& object, const std::string& upload, std::size_t part,
                                  std::span<const std::byte> bytes);
  Status complete_upload(const ObjectPath& object, const std::string& upload,
                         const std::vector<std::string>& etags, std::uint64_t size);
  // Tried once: what stays behind takes room, but does no harm.
  void abort_upload(const ObjectPath& object, const std::string& upload);
  // The same for who must not wait: done before the next object is written, at the latest with the client's
  // end.
  void abort_later(const ObjectPath& object, const std::string& upload);
  Result<std::vector<S3Upload>> open_uploads(const ObjectPath& folder);

  const S3Limits& limits() const { return limits_; }

 private:
  class Patience;
  struct Download;

  Result<S3Response> send(S3Request request, const S3Sink& sink = {},
                          const std::function<void(S3Request&)>& before_next = {});
  Result<S3Page> page(const ObjectPath& folder, Depth depth, std::uint32_t keys_max,
                      const std::string& token);
  Result<Buffer> download(const ObjectPath& object, Download& download);
  bool moves(const S3Response& refusal);
  Error error_of(const S3Request& request, const S3Response& response, bool& again) const;
  std::string attempted(const S3Request& request) const;

  void abort_waiting();

  S3Exchange exchange_;
  S3Limits limits_;
  std::mutex mutex_;
  std::vector<std::pair<ObjectPath, std::string>> to_abort_;  // guarded by mutex_
  Rng rng_;                                      // guarded by mutex_: pauses differ between processes
  std::atomic<std::int64_t> given_up_until_{0};  // steady clock
};

}  // namespace capstan
