// TlsCertificate: what an HTTPS server shows and proves itself by: PEM files, read again when they change.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "common/adapters/tls_files.h"
#include "common/result.h"

namespace capstan {

// Not thread-safe.
class TlsCertificate {
 public:
  // kNotFound; kInvalid: no PEM, a key of another certificate, one that others may read.
  static Result<TlsCertificate> load(TlsFiles files);

  // For the next connection: TLS 1.2 and later. After a renewal the new one, unless it cannot be used: then
  // the last good one stays in force, and trouble() says why.
  std::shared_ptr<boost::asio::ssl::context> context();
  const std::string& trouble() const { return trouble_; }

 private:
  using FileTime = std::filesystem::file_time_type;
  explicit TlsCertificate(TlsFiles files) : files_(std::move(files)) {}
  FileTime changed_at() const;
  Status read();

  TlsFiles files_;
  FileTime read_at_{};
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::string trouble_;
};

}  // namespace capstan
