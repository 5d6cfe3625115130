"""The patient is told: a sender follows the log and hands a notice of each read without consent to an outlet."""
