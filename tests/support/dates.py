"""Days as the programs count them: in Amsterdam, where a day begins an hour or two before that of UTC."""
import datetime
import zoneinfo

ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")
TODAY = datetime.datetime.now(ZONE).date()  # and it stays that if midnight passes: tests compare what they computed before


def in_days(days):
    """That many days from today, as commands take it: 2027-01-31."""
    return (TODAY + datetime.timedelta(days=days)).isoformat()


def day_of(time):
    """The day in which a time lies, both as written: 2027-01-31T23:30:00Z is in 2027-02-01."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone(ZONE).date().isoformat()


def in_time(**ahead):
    """A time from now, as commands take it: hours=1."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")
