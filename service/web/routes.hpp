// SPDX-License-Identifier: Apache-2.0
//
// What is served over HTTP: /metrics for Prometheus, /healthz and /readyz for whoever supervises
// the daemon.

#pragma once

#include <functional>
#include <string>

#include "service/web/server.hpp"

namespace countersign::service {

/// What the routes read. The functions are called on the server's thread and must not block.
struct WebSources {
  std::function<std::string()> metrics;  ///< Metrics::text()
  /// Why the daemon takes no mail now, in words; empty when it does.
  std::function<std::string()> not_ready;
};

/// The answer to a request:
///
///   /metrics   the metrics in the text format of Prometheus
///   /healthz   200 as long as the daemon answers at all: to be restarted when it does not
///   /readyz    200 while mail is taken, 503 with the reason while it is not
///
/// Other paths are 404, other methods than GET 405.
[[nodiscard]] HttpHandler make_routes(WebSources sources);

}  // namespace countersign::service
