-- How a learner takes turns in a language, as learned from their conversations: numbers
-- alone, in the form of learn.TurnHabits. NULL while nothing was observed.

-- +goose Up
ALTER TABLE learning_profiles ADD COLUMN turn_habits JSONB;
