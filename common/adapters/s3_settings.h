// S3Settings: what reaches an object store, and how patient one is with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace capstan {

struct S3Settings {
  std::string endpoint;              // http(s)://host[:port]; empty: Amazon's of the region
  std::string region = "us-east-1";  // where to begin: a store that says another one is believed
  std::string access_key, secret_key;
  std::string session_token;  // of credentials that end; may be empty
  std::string ca_file;        // certificates to trust; empty: the system's
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION,
// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_CA_BUNDLE.
S3Settings s3_settings_from_environment();

struct S3Limits {
  // From a request's first try to giving up; counts anew whenever bytes have come.
  std::chrono::milliseconds patience{10'000};
  std::chrono::milliseconds first_pause{100}, longest_pause{5'000};  // between two tries
  std::chrono::milliseconds connect{5'000};                          // for a connection
  std::chrono::milliseconds stall{20'000};                           // without a byte, in whole seconds
  std::uint64_t part_bytes = 16ULL << 20;  // a larger file goes up in parts, each held in memory
};

// For a large upload that nobody waits for.
inline constexpr S3Limits kPatientS3Limits{.patience = std::chrono::milliseconds(60'000)};
// For a thread that others wait for.
inline constexpr S3Limits kBriefS3Limits{.patience = std::chrono::milliseconds(3'000),
                                         .longest_pause = std::chrono::milliseconds(1'000),
                                         .connect = std::chrono::milliseconds(2'000),
                                         .stall = std::chrono::milliseconds(3'000)};

}  // namespace capstan
