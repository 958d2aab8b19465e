// A certificate for 127.0.0.1 that nobody has signed but itself, for tests.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "common/adapters/tls_files.h"

namespace capstan {

inline std::string pem_of(const auto& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  write(out.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// NAME.pem and NAME.key in `folder`. serial: tells one certificate from another.
inline TlsFiles make_certificate(const std::string& folder, const std::string& name, long serial) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  X509_sign(x, key.get(), EVP_sha256());
  const TlsFiles files{folder + "/" + name + ".pem", folder + "/" + name + ".key"};
  std::ofstream(files.certificate) << pem_of([&](BIO* out) { PEM_write_bio_X509(out, x); });
  std::ofstream(files.key) << pem_of(
      [&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  std::filesystem::permissions(files.key,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return files;
}

}  // namespace capstan
