#include "common/adapters/tls_certificate.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/adapters/disk_files.h"
#include "common/adapters/secret_file.h"

namespace capstan {
namespace {

namespace ssl = boost::asio::ssl;
namespace fs = std::filesystem;

Error unusable(const std::string& file, const std::string& why) {
  return make_error(ErrorCode::kInvalid, fmt::format("{}: {}", file, why));
}

}  // namespace

TlsCertificate::FileTime TlsCertificate::changed_at() const {
  std::error_code error;
  return std::max(fs::last_write_time(files_.certificate, error), fs::last_write_time(files_.key, error));
}

Status TlsCertificate::read() {
  CAPSTAN_ASSIGN(const Buffer certificate, DiskFiles().read(files_.certificate));
  CAPSTAN_ASSIGN(const std::string key, read_secret(files_.key));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code code;
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                       code);
  const std::string_view chain = certificate.text();
  if (!code) context->use_certificate_chain({chain.data(), chain.size()}, code);
  if (code) return unusable(files_.certificate, "no certificate in PEM form (" + code.message() + ")");
  context->use_private_key({key.data(), key.size()}, ssl::context::pem, code);
  if (code) {
    return unusable(files_.key,
                    fmt::format("no private key in PEM form that belongs to the certificate in {} "
                                "({})",
                                files_.certificate, code.message()));
  }
  context_ = std::move(context);
  return ok_status();
}

Result<TlsCertificate> TlsCertificate::load(TlsFiles files) {
  TlsCertificate certificate(std::move(files));
  certificate.read_at_ = certificate.changed_at();
  CAPSTAN_TRY(certificate.read());
  return certificate;
}

std::shared_ptr<ssl::context> TlsCertificate::context() {
  if (const FileTime changed = changed_at(); changed != read_at_) {
    read_at_ = changed;
    const Status fresh = read();
    trouble_ = fresh.ok() ? "" : fresh.error().message;
  }
  return context_;
}

}  // namespace capstan
