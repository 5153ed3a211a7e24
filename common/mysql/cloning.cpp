#include "common/mysql/cloning.hpp"

#include "common/mysql/errc.hpp"

#include <algorithm>
#include <optional>

namespace mysos::mysql {
namespace {

Statement plain(const std::string& sql)
{
    return {sql, sql};
}

/// "0-1-17"
std::optional<GtidList::Entry> parse_one(std::string_view text)
{
    const Result<GtidList> list = GtidList::parse(text);
    if (!list || list->entries().size() != 1) return std::nullopt;
    return list->entries().front();
}

std::string text_of(const GtidList::Entry& entry)
{
    return std::to_string(entry.domain) + "-" + std::to_string(entry.server) + "-" +
           std::to_string(entry.sequence);
}

}  // namespace

Statements clone_from(const Source& donor, std::uint32_t mb_per_second)
{
    const std::string port = std::to_string(donor.port);
    const std::string begin = "CLONE INSTANCE FROM " + quoted(donor.user) + "@" +
                              quoted(donor.host) + ":" + port + " IDENTIFIED BY ";
    Statements statements = let_administrator_write(Flavor::mysql);
    statements.push_back(
        plain("SET GLOBAL clone_valid_donor_list = " + quoted(donor.host + ":" + port)));
    if (mb_per_second > 0) {
        statements.push_back(
            plain("SET GLOBAL clone_max_data_bandwidth = " + std::to_string(mb_per_second)));
    }
    statements.push_back({begin + quoted(donor.password), begin + "<secret>"});
    return statements;
}

Statement history()
{
    return plain(
        "SELECT CONCAT_WS(',', NULLIF(@@global.gtid_binlog_state, ''), "
        "NULLIF(@@global.gtid_slave_pos, ''))");
}

Statements begin_on_copy(Flavor flavor, std::string_view position, std::string_view history)
{
    if (flavor == Flavor::mysql) return {stop_replication(flavor), forget_source(flavor)};
    Statements statements{plain("SET GLOBAL gtid_slave_pos = " + quoted(position))};
    if (!history.empty()) {
        statements.push_back(plain("SET GLOBAL gtid_binlog_state = " + quoted(history)));
    }
    return statements;
}

Result<History> History::parse(std::string_view text)
{
    History history;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const std::string_view one = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
        if (one.find_first_not_of(" \n") == std::string_view::npos) continue;
        const auto entry = parse_one(one);
        if (!entry) return Errc::position_malformed;
        // What a primary followed once is older than what it wrote.
        if (!history.holds(*entry)) history.add(*entry);
    }
    return history;
}

std::string History::to_text() const
{
    std::string text;
    for (const GtidList::Entry& entry : entries_) {
        text += (text.empty() ? "" : ",") + text_of(entry);
    }
    return text;
}

bool History::holds(const GtidList::Entry& transaction) const
{
    return std::ranges::any_of(entries_, [&](const GtidList::Entry& entry) {
        return entry.domain == transaction.domain && entry.server == transaction.server &&
               entry.sequence >= transaction.sequence;
    });
}

void History::add(const GtidList::Entry& newest)
{
    GtidList::Entry added = newest;
    std::erase_if(entries_, [&](const GtidList::Entry& entry) {
        if (entry.domain != newest.domain || entry.server != newest.server) return false;
        added.sequence = std::max(added.sequence, entry.sequence);
        return true;
    });
    entries_.push_back(added);
}

}  // namespace mysos::mysql
