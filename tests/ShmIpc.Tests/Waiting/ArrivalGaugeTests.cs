// A reader pauses before it looks again when its producer streams, and only then.

using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Waiting;

public sealed class ArrivalGaugeTests
{
    [Fact]
    public void A_producer_that_streams_is_left_alone()
    {
        ArrivalGauge gauge = default;
        Assert.True(gauge.PausesBefore(2) > 0);
        Assert.True(gauge.PausesBefore(1000) > 0);
    }

    [Fact]
    public void An_answer_is_looked_for_at_once()
    {
        ArrivalGauge gauge = default;
        gauge.PausesBefore(1); // the first trial
        Assert.Equal(0, gauge.PausesBefore(1));
    }

    [Fact]
    public void The_wait_that_goes_on_changes_nothing()
    {
        ArrivalGauge gauge = default;
        gauge.PausesBefore(5);
        Assert.Equal(0, gauge.PausesBefore(0));
        Assert.True(gauge.PausesBefore(5) > 0);
    }

    [Fact]
    public void Trials_among_answers_become_rare_and_never_end()
    {
        ArrivalGauge gauge = default;
        List<int> trials = [];
        for (int wait = 0; wait < 40_000; wait++)
        {
            if (gauge.PausesBefore(1) > 0)
            {
                trials.Add(wait);
            }
        }

        int[] gaps = [.. trials.Zip(trials.Skip(1), (first, second) => second - first)];
        Assert.Equal(gaps.Order(), gaps);
        Assert.InRange(gaps[0], 8, 64);
        Assert.InRange(gaps[^1], 2048, 8192);
    }

    [Fact]
    public void A_trial_pauses_for_less_than_a_stream()
    {
        ArrivalGauge gauge = default;
        int trial = gauge.PausesBefore(1);
        Assert.InRange(trial, 1, gauge.PausesBefore(2) / 2);
    }

    [Fact]
    public void Several_messages_at_a_trial_mean_that_they_stream_and_trials_come_soon_again()
    {
        ArrivalGauge gauge = default;
        int pauses = 0;
        for (int wait = 0; wait < 3000; wait++)
        {
            pauses = gauge.PausesBefore(1); // answers for a long time
        }

        int stream = gauge.PausesBefore(40);
        Assert.True(stream > pauses);
        Assert.Equal(0, gauge.PausesBefore(1)); // and an answer again
        int waits = 1;
        while (gauge.PausesBefore(1) == 0)
        {
            waits++;
        }

        Assert.InRange(waits, 8, 64);
    }
}
