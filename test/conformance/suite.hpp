#pragma once

#include "test/conformance/framework.hpp"

#include <functional>
#include <string>
#include <vector>

namespace mysos::conformance {

/// When a check can be made.
enum class Needs {
    nothing,
    credentials,  ///< A master that authenticates frameworks, and a principal for it.
    no_credentials,
    follower,     ///< A second master.
    slow,         ///< Over 20 s: only with --slow.
    standin,      ///< A fault switch: only with --standin.
    destructive,  ///< Aborts a real master or agent: only with --destructive.
};

struct Check {
    int number = 0;    ///< Of the list of behaviours; several checks may share one.
    std::string name;  ///< What must be seen, as a sentence.
    Needs needs = Needs::nothing;
    std::function<void(const Options&)> run;
};

void add_http_checks(std::vector<Check>& checks);            // A
void add_authentication_checks(std::vector<Check>& checks);  // B
void add_subscribe_checks(std::vector<Check>& checks);       // C
void add_offer_checks(std::vector<Check>& checks);           // D
void add_accept_checks(std::vector<Check>& checks);          // E
void add_volume_checks(std::vector<Check>& checks);          // E, reservations and volumes
void add_call_checks(std::vector<Check>& checks);            // F
void add_executor_checks(std::vector<Check>& checks);        // G
void add_fault_checks(std::vector<Check>& checks);           // G, H: agents that end and return
void add_json_checks(std::vector<Check>& checks);            // I

}  // namespace mysos::conformance
